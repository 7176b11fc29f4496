"""From a request to a result: plan, inversion cache, editor, postprocess, report, preview."""
