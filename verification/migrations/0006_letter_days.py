"""Let a school choose how long a printed letter is good; ten days, as every invitation, unless it does."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("verification", "0005_counted_by_state")]

    operations = [
        migrations.AddField(
            model_name="choices",
            name="letter_days",
            field=models.PositiveSmallIntegerField(
                default=10, help_text="How long a printed letter is good; whatever else invites is good for ten days."
            ),
        ),
    ]
