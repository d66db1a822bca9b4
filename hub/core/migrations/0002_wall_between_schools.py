"""Create the roles, and put the tables of a school behind the wall."""

from django.db import migrations

from hub.core import tenancy


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        tenancy.create_roles(),
        tenancy.wall("core_school", column="id"),
        tenancy.wall("core_auditentry"),
        tenancy.wall("core_alert"),
    ]
