"""Routes of the connections pages and of going live; included by `review.urls`, so in its namespace."""

from django.urls import path

from review.views import connections, going_live, receiver

urlpatterns = [
    path("connections/", connections.overview, name="connections"),
    path("connections/drchrono/callback/", connections.callback, name="drchrono_callback"),
    path("connections/set-up/<slug:vendor>/", connections.set_up, name="connection_set_up"),
    path("connections/receiver/", receiver.page, name="receiver"),
    path("connections/receiver/set/", receiver.register, name="receiver_register"),
    path("connections/receiver/rotate/", receiver.rotate, name="receiver_rotate"),
    path("connections/receiver/stop/", receiver.stop, name="receiver_stop"),
    path("connections/receiver/test/", receiver.test, name="receiver_test"),
    path("connections/live/", going_live.page, name="going_live"),
    path("connections/live/ask/", going_live.ask, name="going_live_ask"),
    path("connections/live/withdraw/", going_live.withdraw, name="going_live_withdraw"),
    path("connections/live/confirm/", going_live.confirm, name="going_live_confirm"),
    path("connections/<uuid:connection_id>/", connections.one, name="connection"),
    path("connections/<uuid:connection_id>/account/", connections.account, name="connection_account"),
    path("connections/<uuid:connection_id>/secrets/", connections.add_secret, name="connection_secret"),
    path("connections/<uuid:connection_id>/secrets/<uuid:secret_id>/activate/", connections.activate_secret,
         name="connection_secret_activate"),
    path("connections/<uuid:connection_id>/secrets/<uuid:secret_id>/revoke/", connections.revoke_secret,
         name="connection_secret_revoke"),
    path("connections/<uuid:connection_id>/pause/", connections.pause, name="connection_pause"),
    path("connections/<uuid:connection_id>/resume/", connections.resume, name="connection_resume"),
    path("connections/<uuid:connection_id>/test/", connections.try_again, name="connection_test"),
    path("connections/<uuid:connection_id>/profile/", connections.profile, name="connection_profile"),
    path("connections/<uuid:connection_id>/authorize/", connections.authorize, name="connection_authorize"),
    path("connections/<uuid:connection_id>/disconnect/", connections.disconnect, name="connection_disconnect"),
]
