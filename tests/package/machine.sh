#!/bin/bash
# A machine of its own in namespaces: this system's files under a layer that is thrown away, a network of its own, and a real
# systemd as process 1. tests/package.rs starts it by `unshare --mount --pid --fork --uts --ipc --net --cgroup --kill-child`
# and enters it by nsenter.
#
#   machine.sh FOLDER       FOLDER/shared is /mnt in there
set -euo pipefail
folder=$1
root=$folder/root

mount --make-rprivate /
mkdir -p "$root" "$folder/layer"
mount -t tmpfs tmpfs "$folder/layer"
mkdir "$folder/layer/upper" "$folder/layer/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/layer/upper,workdir=$folder/layer/work" "$root"

mount -t proc proc "$root/proc"
# As systemd-nspawn does: nothing in there sets the host's kernel but for the network, which is its own.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --bind "$folder/shared" "$root/mnt"

# An image may say that packages start nothing; here they are to. The index of manuals takes long and is nothing to us. What an earlier run installed does not count.
rm -f "$root/usr/sbin/policy-rc.d" "$root/var/lib/man-db/auto-update"
rm -rf "$root/etc/camhealth" "$root/var/lib/camhealth"

# Not chroot: from within one the kernel lets nobody make a user namespace, which the unit asks for.
cd "$root"
mkdir .host
pivot_root . .host
umount --lazy /.host
# systemd expects that its host, or who made its container, has done so; credentials are handed over by it.
mount --make-rshared /
exec /usr/bin/env --ignore-environment container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=basic.target --log-target=journal --show-status=no
