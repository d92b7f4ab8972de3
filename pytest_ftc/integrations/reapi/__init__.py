"""Remote execution on a farm that speaks the Remote Execution API v2; requires the extra ``reapi``.

Servers are not trusted: every byte is verified against its digest, and sizes and waits are bounded.
"""
