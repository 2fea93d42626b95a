#!/usr/bin/env bash
# Runs as the first process of namespaces of its own (check.py starts it there): makes the folder the root and becomes its
# systemd. Nothing of it is seen outside, and it all ends with this process.
set -euo pipefail
root=$1

ip link set lo up
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
# What is temporary ends with it: systemd takes a stopped service's own /var/tmp away a moment later.
for folder in run tmp var/tmp; do
	mount -t tmpfs tmpfs "$folder"
done
mount -t tmpfs -o mode=755 tmpfs mnt
for node in null zero full random urandom tty; do
	touch "mnt/$node"
	mount --bind "/dev/$node" "mnt/$node"
done
mkdir mnt/shm mnt/pts
mount -t devpts -o newinstance,ptmxmode=666 devpts mnt/pts
ln -s pts/ptmx mnt/ptmx
mount --move mnt dev
pivot_root . mnt
umount -l /mnt
# What a service is shown is mounted in a child of systemd, which has to be seen by the others in here.
mount --make-rshared /
export container=gridloop-package PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec /lib/systemd/systemd --system --unit=multi-user.target --log-target=journal --log-level=notice --show-status=no
