"""Gallery, viewer and everything else that shows photos."""
