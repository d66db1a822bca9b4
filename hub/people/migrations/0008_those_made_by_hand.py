"""Find the few whom the school added by hand without reading everybody: they are counted on every overview."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("people", "0007_what_differs")]

    operations = [
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["school"], condition=Q(made_by_hand=True), name="people_contact_by_hand"),
        ),
    ]
