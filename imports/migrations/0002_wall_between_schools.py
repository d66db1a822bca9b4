"""Put what comes in behind the wall between schools."""

from django.db import migrations

from hub.core import tenancy


class Migration(migrations.Migration):
    dependencies = [("people", "0002_wall_between_schools"), ("imports", "0001_initial")]

    operations = [
        tenancy.wall("imports_importpolicy"),
        tenancy.wall("imports_mislink"),
        tenancy.wall("imports_agenttoken"),
        tenancy.wall("imports_payload"),
        tenancy.wall("imports_payloadchunk"),
        tenancy.wall("imports_import"),
        tenancy.wall("imports_scheduledrun"),
        tenancy.wall("imports_importchange"),
        tenancy.wall("imports_rejectedrecord"),
        tenancy.tenant_key("imports_mislink", "source_id", "people_missource"),
        tenancy.tenant_key("imports_agenttoken", "link_id", "imports_mislink"),
        tenancy.tenant_key("imports_payload", "link_id", "imports_mislink"),
        tenancy.tenant_key("imports_payloadchunk", "payload_id", "imports_payload"),
        tenancy.tenant_key("imports_import", "link_id", "imports_mislink"),
        tenancy.tenant_key("imports_import", "payload_id", "imports_payload"),
        tenancy.tenant_key("imports_scheduledrun", "link_id", "imports_mislink"),
        tenancy.tenant_key("imports_scheduledrun", "satisfied_by_id", "imports_import"),
        tenancy.tenant_key("imports_importchange", "run_id", "imports_import"),
        tenancy.tenant_key("imports_rejectedrecord", "link_id", "imports_mislink"),
        tenancy.tenant_key("imports_rejectedrecord", "first_run_id", "imports_import"),
    ]
