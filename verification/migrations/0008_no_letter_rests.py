"""A right code opens a letter whatever was typed before it: nothing is counted any more."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("verification", "0007_who_had_an_address")]

    operations = [
        migrations.RemoveField(model_name="invitation", name="tries"),
        migrations.RemoveField(model_name="invitation", name="rests_until"),
    ]
