"""Put what people confirm behind the wall, and make links across schools impossible."""

from django.db import migrations

from hub.core import tenancy


class Migration(migrations.Migration):
    dependencies = [("verification", "0001_initial"), ("people", "0005_wall_around_merges")]

    operations = [
        tenancy.wall("verification_detailchange"),
        tenancy.wall("verification_invitation"),
        tenancy.wall("verification_merge"),
        tenancy.wall("verification_choices"),
        tenancy.tenant_key("verification_detailchange", "contact_id", "people_contact"),
        tenancy.tenant_key("verification_detailchange", "staff_id", "people_staff"),
        tenancy.tenant_key("verification_detailchange", "pupil_id", "people_pupil"),
        tenancy.tenant_key("verification_invitation", "contact_id", "people_contact"),
        tenancy.tenant_key("verification_invitation", "staff_id", "people_staff"),
        tenancy.tenant_key("verification_merge", "kept_id", "people_contact"),
        tenancy.tenant_key("verification_merge", "gone_id", "people_contact"),
    ]
