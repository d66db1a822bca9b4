"""Remember when a clock last ticked; it belongs to no school."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_wall_between_schools")]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
