"""Results and vital signs beside the medications, with two sweeps for them. Backward-compatible; reverse drops them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0002_mirror_keeps_whole_words'),
        ('practices', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='mirrorpatient',
            name='labs_read_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='mirrorpatient',
            name='results_wanted',
            field=models.CharField(blank=True, db_default='', default='', help_text='Which results were kept at that reading.', max_length=16),
        ),
        migrations.AddField(
            model_name='mirrorpatient',
            name='vitals_read_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='sweepstate',
            name='kind',
            field=models.CharField(choices=[('rolling', 'Rolling medication sweep'), ('nightly', 'Nightly full sweep'), ('changes', 'Changes since the last poll'), ('labs', 'Laboratory results'), ('vitals', 'Vital signs'), ('directory', 'Pharmacy directory'), ('klara_poll', 'Klara reconcile poll')], max_length=16),
        ),
        migrations.CreateModel(
            name='MirrorResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('lab', 'Laboratory result'), ('vital', 'Vital sign')], max_length=8)),
                ('external_id', models.CharField(max_length=48)),
                ('group_external_id', models.CharField(help_text='The visit of a vital sign; a lab stands alone.', max_length=32)),
                ('title', models.TextField(blank=True)),
                ('loinc', models.TextField(blank=True)),
                ('value', models.TextField(blank=True)),
                ('unit', models.TextField(blank=True)),
                ('flag', models.TextField(blank=True)),
                ('status', models.TextField(blank=True)),
                ('performed_on', models.DateField(blank=True, help_text='Practice-local day.', null=True)),
                ('seen_at', models.DateTimeField()),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='results', to='integrations.mirrorpatient')),
                ('practice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mirror_results', to='practices.practice')),
            ],
            options={
                'indexes': [models.Index(fields=['practice', 'kind', 'group_external_id'], name='mirror_result_by_group')],
                'constraints': [models.UniqueConstraint(fields=('practice', 'kind', 'external_id'), name='mirror_result_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['lab', 'vital'])), name='mirror_result_kind_known')],
            },
        ),
    ]
