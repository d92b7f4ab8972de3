"""Shell scripts that run a command as on another kind of machine, and what cannot be varied there."""

NEED_NAMESPACES = {"user_group", "domain_host", "pid", "fileordering", "filesystem", "network"}

# Root in a namespace of its own shows /root to others: Python may live there, where only root may look.
AS_ORDINARY_USER = """
set -e
scratch=$(mktemp -d)
mount -t tmpfs none "$scratch"; mkdir "$scratch/upper" "$scratch/work"
mount -t overlay overlay -o "lowerdir=/root,upperdir=$scratch/upper,workdir=$scratch/work" /root; chmod 755 /root
umount -l "$scratch"; rmdir "$scratch"
exec setpriv --reuid 4321 --regid 4321 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
"""

NO_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all --no-new-privs "$@"'
