"""Put memberships and invitations behind the wall between schools."""

from django.db import migrations

from hub.core import tenancy


class Migration(migrations.Migration):
    dependencies = [("core", "0002_wall_between_schools"), ("accounts", "0001_initial")]

    operations = [
        tenancy.wall("accounts_membership"),
        tenancy.wall("accounts_staffinvitation"),
        tenancy.tenant_key("accounts_staffinvitation", "membership_id", "accounts_membership"),
    ]
