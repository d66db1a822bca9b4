"""Find whoever had, was offered or was invited at an address without reading every row."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("verification", "0006_letter_days")]

    operations = [
        migrations.AddIndex(
            model_name="detailchange",
            index=models.Index(fields=["school", "old_value"], name="verification_change_from"),
        ),
        migrations.AddIndex(
            model_name="detailchange",
            index=models.Index(fields=["school", "new_value"], name="verification_change_to"),
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(fields=["school", "sent_to"], name="verification_invite_sent_to"),
        ),
    ]
