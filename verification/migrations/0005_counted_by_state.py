"""Count the views of the report without reading its rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("verification", "0004_found_when_settling")]

    operations = [
        migrations.AddIndex(
            model_name="detailchange",
            index=models.Index(fields=["school", "status", "mis_state"], name="verification_change_by_state"),
        ),
    ]
