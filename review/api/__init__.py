"""The API for programs: the same requests, decisions and trail as on the pages, by token. It can never sign."""
