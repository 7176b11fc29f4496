"""Many recipes at once: on this machine or on Ray, resumable, nothing lost.

Nothing here waits for torch before a batch runs; ray is imported by `on_ray` alone.
"""
