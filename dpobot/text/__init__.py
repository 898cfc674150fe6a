"""Every sentence that a human reads is rendered here, from ``templates/``. The only room with jinja2."""
