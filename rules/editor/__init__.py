"""The rule editor's pages under /admin/rules/: every change is a verb of `rules.versions`; no row is written here."""
