"""Find whoever has an email or mobile, or is said by an MIS to have it, without reading everybody."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("people", "0008_those_made_by_hand")]

    operations = [
        migrations.RemoveIndex(model_name="contactdetail", name="people_detail_differs"),
        migrations.AddIndex(
            model_name="contactdetail",
            index=models.Index(
                fields=["school", "mis_value"], condition=~Q(mis_value=F("value")), name="people_detail_differs"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                fields=["merged_into"], condition=Q(merged_into__isnull=False), name="people_contact_merged_into"
            ),
        ),
        migrations.AddIndex(
            model_name="misidentity",
            index=GinIndex(fields=["emails", "mobiles"], condition=~Q(kind="pupil"), name="people_misidentity_reached"),
        ),
    ]
