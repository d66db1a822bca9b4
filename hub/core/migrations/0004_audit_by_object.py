"""Find what was done to one person without reading the whole school's audit."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0003_heartbeat")]

    operations = [
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["school", "object_kind", "object_id"], name="core_audit_by_object"),
        ),
    ]
