"""Audits of action caches of the Remote Execution API: what is altered, dangling or not reproducible in them."""
