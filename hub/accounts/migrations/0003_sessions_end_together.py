"""Let one number end every session of an account."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_wall_between_schools")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="session_generation",
            field=models.PositiveIntegerField(default=0, help_text="Counted up to end every session of the account."),
        ),
    ]
