from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedModules(ManifestStaticFilesStorage):
    """Static files named by their hash, with the imports inside ES modules rewritten to match."""

    support_js_module_import_aggregation = True
