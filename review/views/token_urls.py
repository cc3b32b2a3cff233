"""Routes of the page of tokens; included by `review.urls`, so in its namespace."""

from django.urls import path

from review.views import tokens

urlpatterns = [
    path("api-tokens/", tokens.page, name="api_tokens"),
    path("api-tokens/make/", tokens.make, name="token_make"),
    path("api-tokens/<uuid:token_id>/accept/", tokens.accept, name="token_accept"),
    path("api-tokens/<uuid:token_id>/end/", tokens.end, name="token_end"),
]
