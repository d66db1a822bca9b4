"""Find every detail that differs from the MIS, also where the MIS has none."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("people", "0006_the_end_is_announced")]

    operations = [
        migrations.RemoveIndex(model_name="contactdetail", name="people_contactdetail_differs"),
        migrations.AddIndex(
            model_name="contactdetail",
            index=models.Index(fields=["school"], condition=~Q(mis_value=F("value")), name="people_detail_differs"),
        ),
    ]
