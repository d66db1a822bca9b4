from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0005_wall_around_merges")]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="ending_told_at",
            field=models.DateTimeField(help_text="When they were told that the login will end.", null=True),
        ),
    ]
