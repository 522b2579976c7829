"""The rehearsal's own authorization server: it signs invented people in, as awkwardly as Cognito does.

`server.SignInServer` serves it; everything it decides is in `authorization.AuthorizationServer`, which knows no HTTP.
"""
