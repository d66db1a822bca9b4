from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0002_notices")]

    operations = [
        migrations.AddField(
            model_name="inboxmail",
            name="reference",
            field=models.CharField(
                help_text="What the hub calls a text: none is kept twice.", max_length=64, null=True, unique=True
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="claimed_at",
            field=models.DateTimeField(help_text="Committed before the provider hears of it.", null=True),
        ),
        migrations.AlterField(
            model_name="notice",
            name="not_before",
            field=models.DateTimeField(help_text="The sweep asks for it from then on."),
        ),
        migrations.AddIndex(model_name="notice", index=models.Index(fields=["made_at"], name="messaging_notice_made")),
        migrations.AddIndex(
            model_name="notice", index=models.Index(fields=["to", "-made_at"], name="messaging_notice_to")
        ),
    ]
