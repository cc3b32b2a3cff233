"""What surrounds the product: embedded servers, the demo's supervisor, examples for a real installation.

Not part of the Django project: nothing in here imports it, and a production image may leave the folder out.
"""
