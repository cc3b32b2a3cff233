"""What the chart says is kept whole: bounded text becomes unbounded. Reverse: bounded again, refused by longer values."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='mirrormedication',
            name='dosage_quantity',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='mirrormedication',
            name='dosage_units',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='mirrormedication',
            name='frequency',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='mirrormedication',
            name='ndc',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='mirrormedication',
            name='order_status',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='mirrormedication',
            name='route',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='mirrormedication',
            name='rxcui',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='mirrormedication',
            name='status',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='mirrorpatient',
            name='status',
            field=models.TextField(blank=True, help_text='A active, I inactive, D deceased.'),
        ),
        migrations.AlterField(
            model_name='prescriptionseen',
            name='kind',
            field=models.TextField(blank=True, help_text='NewRx, RefillRequest, RefillResponse, Error ...'),
        ),
        migrations.AlterField(
            model_name='prescriptionseen',
            name='ndc',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='prescriptionseen',
            name='pharmacy_ncpdp_id',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='prescriptionseen',
            name='rxcui',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='prescriptionseen',
            name='status',
            field=models.TextField(blank=True),
        ),
    ]
