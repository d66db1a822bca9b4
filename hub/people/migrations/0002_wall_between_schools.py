"""Put people behind the wall, and make links across schools impossible."""

from django.db import migrations

from hub.core import tenancy


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_wall_between_schools"), ("people", "0001_initial")]

    operations = [
        tenancy.wall("people_missource"),
        tenancy.wall("people_pupil"),
        tenancy.wall("people_contact"),
        tenancy.wall("people_pupilcontact"),
        tenancy.wall("people_staff"),
        tenancy.wall("people_group"),
        tenancy.wall("people_groupmember"),
        tenancy.wall("people_groupaccess"),
        tenancy.wall("people_contactdetail"),
        tenancy.wall("people_misidentity"),
        tenancy.wall("people_importexclusion"),
        tenancy.wall("people_connection"),
        tenancy.tenant_key("people_pupilcontact", "pupil_id", "people_pupil"),
        tenancy.tenant_key("people_pupilcontact", "contact_id", "people_contact"),
        tenancy.tenant_key("people_groupmember", "group_id", "people_group"),
        tenancy.tenant_key("people_groupmember", "pupil_id", "people_pupil"),
        tenancy.tenant_key("people_groupaccess", "membership_id", "accounts_membership"),
        tenancy.tenant_key("people_groupaccess", "group_id", "people_group"),
        tenancy.tenant_key("people_contactdetail", "contact_id", "people_contact"),
        tenancy.tenant_key("people_contactdetail", "staff_id", "people_staff"),
        tenancy.tenant_key("people_misidentity", "source_id", "people_missource"),
        tenancy.tenant_key("people_misidentity", "pupil_id", "people_pupil"),
        tenancy.tenant_key("people_misidentity", "contact_id", "people_contact"),
        tenancy.tenant_key("people_misidentity", "staff_id", "people_staff"),
        tenancy.tenant_key("people_importexclusion", "source_id", "people_missource"),
        tenancy.tenant_key("people_connection", "contact_id", "people_contact"),
        tenancy.tenant_key("people_connection", "staff_id", "people_staff"),
    ]
