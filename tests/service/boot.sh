#!/usr/bin/env bash
# Runs as the first process of namespaces of its own (rig.py starts it there): lays what `make install` has staged over a
# copy of this machine and becomes systemd. Nothing of it is seen outside, and it all ends with this process.
set -euo pipefail
work=$1
units=/usr/lib/systemd/system

ip link set lo up
umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup

# This machine's configuration as a copy that may be written to; none of its services.
mount -t tmpfs tmpfs /mnt
cp -a /etc /mnt/etc
mount --bind /mnt/etc /etc
rm -rf /etc/systemd/system /etc/systemd/system.conf.d /etc/gridloop
mkdir -p /etc/systemd/system /etc/systemd/journald.conf.d
[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
printf '[Journal]\nStorage=volatile\nReadKMsg=no\nForwardToSyslog=no\nRateLimitIntervalSec=0\n' >/etc/systemd/journald.conf.d/rig.conf

# Only the units that ours lean on; what else a machine starts at boot is not for here.
kept=$(mktemp -d -p /mnt)
for unit in basic.target sockets.target shutdown.target umount.target final.target multi-user.target local-fs.target \
	local-fs-pre.target swap.target time-sync.target time-set.target network.target paths.target timers.target slices.target \
	systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket; do
	cp "$units/$unit" "$kept/" 2>/dev/null || true
done
mount -t tmpfs tmpfs "$units"
cp "$kept"/* "$units/"
printf '[Unit]\nDescription=System initialization, of which only the journal is needed here\nDefaultDependencies=no\nWants=systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service\nAfter=systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service\n' >"$units/sysinit.target"

mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/rig
mount -t tmpfs tmpfs /var/lib
mkdir -p /var/lib/gridloop "$work/state"
mount --bind "$work/state" /var/lib/gridloop
mount --bind "$work/stage/usr/local" /usr/local
cp -a "$work/stage/etc/gridloop" /etc/gridloop
cp "$work"/units/* /etc/systemd/system/

# As a package's installation does it.
systemd-sysusers /usr/local/lib/sysusers.d/gridloop.conf
systemd-tmpfiles --create /usr/local/lib/tmpfiles.d/gridloop.conf
install -m 600 "$work/redis_password" /etc/gridloop/credentials/redis_password

# A service's credentials are mounted in a child of systemd, which has to be seen by the others in here. unshare cut all of
# this off from the machine outside.
mount --make-rshared /
export container=gridloop-rig
exec /lib/systemd/systemd --system --unit=basic.target --log-target=journal --log-level=notice --show-status=no
