from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imports", "0005_collecting")]

    operations = [
        migrations.AddField(
            model_name="import",
            name="cells",
            field=models.JSONField(
                default=list, help_text="What a preview of a spreadsheet found wrong, cell by cell."
            ),
        ),
    ]
