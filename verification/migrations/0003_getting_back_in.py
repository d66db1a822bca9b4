from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("verification", "0002_wall_between_schools")]

    operations = [
        migrations.AddField(
            model_name="recoverylink",
            name="sent_to",
            field=models.CharField(
                blank=True, default="", help_text="The address it proves; of a letter nothing.", max_length=320
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="recoverylink",
            name="by_school",
            field=models.BigIntegerField(help_text="Whose office: it opens only what is this school's.", null=True),
        ),
        migrations.CreateModel(
            name="RecoveryRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sealed_name", models.BinaryField(help_text="What was typed, encrypted.")),
                ("name_hash", models.CharField(help_text="Keyed; to count by.", max_length=64)),
                ("kind", models.CharField(help_text="email or mobile.", max_length=6)),
                (
                    "code_hash",
                    models.CharField(
                        help_text="Of the code that a mobile is sent; also where none is.", max_length=100
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "answered_at",
                    models.DateTimeField(
                        help_text="When the task had looked; messages may have gone or not.", null=True
                    ),
                ),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["name_hash", "-made_at"], name="verification_recovery_by_name"),
                    models.Index(
                        condition=models.Q(("answered_at", None)),
                        fields=["made_at"],
                        name="verification_recovery_open",
                    ),
                ],
            },
        ),
    ]
