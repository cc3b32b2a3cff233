"""A practice's own names of laboratory tests. New table; reverse drops it."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import review.models.lab_aliases


class Migration(migrations.Migration):

    dependencies = [
        ('practices', '0001_initial'),
        ('review', '0003_entry_aliases'),
    ]

    operations = [
        migrations.CreateModel(
            name='LabAlias',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(help_text="Its name or code, exactly as the chart shows it.", max_length=120)),
                ('folded', models.CharField(editable=False, max_length=120)),
                ('lab_key', models.CharField(choices=review.models.lab_aliases.lab_keys, max_length=32, verbose_name='stands for')),
                ('unit', models.CharField(blank=True, help_text='Of results that come without a unit.', max_length=32)),
                ('is_active', models.BooleanField(default=True, verbose_name='counts')),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('practice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lab_aliases', to='practices.practice')),
            ],
            options={
                'verbose_name': 'local lab name',
                'verbose_name_plural': 'local lab names',
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('practice', 'folded'), name='lab_alias_once')],
            },
        ),
    ]
