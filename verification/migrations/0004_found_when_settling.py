"""Find what still has a state in the MIS without reading what is closed, and page through a long report."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("verification", "0003_getting_back_in")]

    operations = [
        migrations.AddIndex(
            model_name="detailchange",
            index=models.Index(
                fields=["school", "field"],
                condition=Q(mis_state__in=["to_update", "differs", "done", "updated"])
                | Q(mis_state="", status="offer"),
                name="verification_change_alive",
            ),
        ),
        migrations.AddIndex(
            model_name="detailchange",
            index=models.Index(fields=["school", "sort_key", "person_name"], name="verification_change_in_order"),
        ),
    ]
