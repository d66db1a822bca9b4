"""Make it impossible to merge a person into one of another school."""

from django.db import migrations

from hub.core import tenancy


class Migration(migrations.Migration):
    dependencies = [("people", "0004_what_people_confirm")]

    operations = [tenancy.tenant_key("people_contact", "merged_into_id", "people_contact")]
