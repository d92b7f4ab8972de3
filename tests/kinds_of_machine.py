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

# As Docker covers it by default.  The kernel refuses a new procfs to a user namespace then.
MASKED_PROC = """
set -e
for name in acpi scsi; do test ! -d /proc/$name || mount -t tmpfs -o ro none /proc/$name; done
for name in kcore keys timer_list; do test ! -e /proc/$name || mount --bind /dev/null /proc/$name; done
for name in bus fs irq sys sysrq-trigger; do
    test -e /proc/$name || continue
    mount --bind /proc/$name /proc/$name; mount -o remount,bind,ro /proc/$name
done
exec unshare -U --map-user=1000 --map-group=1000 "$@"
"""
