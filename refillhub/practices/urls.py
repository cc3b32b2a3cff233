"""Paths of the door, the practice choice, the stop switches and the prescriber's agreement."""

from django.urls import path

from refillhub.practices import account_views, grant_views, views

app_name = "practices"

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/code/", views.code, name="code"),
    path("sign-in/recovery/", views.recovery, name="recovery"),
    path("sign-in/enrol/", views.enrol, name="enrol"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("practice/", views.choose_practice, name="choose_practice"),
    path("unlock/", views.unlock, name="unlock"),
    path("unlock/<uuid:kept_id>/", views.resume, name="resume"),
    path("switches/", views.switches_page, name="switches"),
    path("switches/sending/stop/", views.stop_sending, name="stop_sending"),
    path("switches/sending/resume/", views.resume_sending, name="resume_sending"),
    path("switches/automatic/stop/", views.stop_automatic, name="stop_automatic"),
    path("switches/automatic/resume/", views.resume_automatic, name="resume_automatic"),
    path("people/signing/", grant_views.signers, name="signers"),
    path("people/signing/ask/", grant_views.ask, name="ask_signer"),
    path("people/signing/<uuid:grant_id>/approve/", grant_views.approve, name="approve_signer"),
    path("people/signing/<uuid:grant_id>/end/", grant_views.end, name="end_signer"),
    path("account/", account_views.account_page, name="account"),
    path("account/recovery-codes/", account_views.renew_codes, name="renew_codes"),
    path("account/device/", account_views.replace_device, name="replace_device"),
    path("practice/agreement/", account_views.agreement, name="agreement"),
    path("consent/", views.consent_page, name="consent"),
    path("consent/give/", views.give_consent, name="give_consent"),
    path("consent/revoke/", views.revoke_consent, name="revoke_consent"),
]
