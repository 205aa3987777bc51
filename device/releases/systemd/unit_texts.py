"""The text of each unit, and why it allows what it allows."""

_LIMITS = """\
AmbientCapabilities=
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
KeyringMode=private
RemoveIPC=yes
"""
"""What no process of a unit may become, beyond its NoNewPrivileges and CapabilityBoundingSet."""

_HIDDEN = """\
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
"""
"""What of the system no process of a unit sees or changes."""

SERVICE_TEXT = (
    """\
# Written by edgeinfer; `releases.pyz setup` writes it again.
[Unit]
Description=edgeinfer: a camera that answers
Wants={settle}
After={settle} network.target
ConditionPathExists={prefix}/current/run
StartLimitIntervalSec=0

[Service]
Type=notify
User={user}
Group={user}
SupplementaryGroups={groups}
ExecStart={prefix}/current/run
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=30
Restart=always
RestartSec=5
# A camera may take for ever to be there; the trial has its own time limit.
TimeoutStartSec=infinity
# The loop ends within 30 s by itself, whatever hangs.
TimeoutStopSec=40
RuntimeDirectory=edgeinfer
WorkingDirectory={prefix}/data
Environment=PYTHONDONTWRITEBYTECODE=1
# No line per frame in the journal, and no core dump on the card.
StandardOutput=null
StandardError=journal
LimitCORE=0
# People who are to read recordings join the group, so UMask=0077 is not set.
UMask=0027

# How much memory it may take. What swells, a hostile stream or a leak, is ended (its Result is
# oom-kill) and started again, and the board can still be reached. It is a share, so that a board of
# 512 MB keeps some 90 MB for its system; the loop has there three times what it was seen to take
# with MobileNetV2 and a recorded video (109 MiB, on x86-64). Where the kernel counts no memory
# (cgroup_disable=memory), OOMScoreAdjust still has the loop ended before what lets you log in.
MemoryMax={memory}
OOMPolicy=stop
OOMScoreAdjust=300

# What it may write: its data, its status, a private /tmp.
ProtectSystem=strict
ReadWritePaths={data}
ProtectHome=yes
PrivateTmp=yes
PrivateMounts=yes

# What it may open: the devices of cameras and accelerators, through the SupplementaryGroups above
# and the DeviceAllow below. PrivateDevices would hide them all.
DevicePolicy=closed
{devices}

# What it may become: nothing but what it is.
NoNewPrivileges=yes
CapabilityBoundingSet=
"""
    + _LIMITS
    + """\

# What it sees of the system. /proc/cpuinfo, meminfo and device-tree tell it what board this is, so
# ProcSubset=pid stays off. /sys, where heat and supply are read, can be read.
"""
    + _HIDDEN
    + """\

# The network stays open (PrivateNetwork, IPAddressDeny): a network camera may be anywhere. AF_UNIX
# carries the service manager's notices, AF_NETLINK tells libusb, and so an Edge TPU's library, of
# devices.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

# Calls outside of these fail as forbidden; they do not kill.
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

# Left open on purpose. MemoryDenyWriteExecute: drivers of GPUs and NPUs, and older libffi, make
# code as they run. PrivateUsers: not every board's kernel has user namespaces. RootDirectory and
# RootImage: the package uses the system's Python.

[Install]
WantedBy=multi-user.target
"""
)

SETTLE_TEXT = """\
# Written by edgeinfer; `releases.pyz setup` writes it again.
[Unit]
Description=edgeinfer: repair what a power cut interrupted
Before={service}
ConditionPathExists={prefix}/releases.pyz

[Service]
Type=oneshot
# Once a boot: a restart of the service must not run it again.
RemainAfterExit=yes
ExecStart={agent} settle --boot
Environment=PYTHONDONTWRITEBYTECODE=1
# How it tells a trial's outcome.
RuntimeDirectory=edgeinfer-trial
RuntimeDirectoryPreserve=yes
{own}
# It only turns links and removes files of root's.
PrivateDevices=yes
CapabilityBoundingSet=
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX
IPAddressDeny=any
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources

# Left open on purpose. User and DynamicUser: the files are root's, so that the loop cannot change
# what runs. UMask=0077: the loop reads what is written. PrivateNetwork and PrivateUsers: not every
# board's kernel has such namespaces. ProcSubset=pid: the lock's holder is read in /proc/locks.
# DeviceAllow: of the clock, what ProtectClock leaves. AF_UNIX: older systems know no empty list.
# RootDirectory and RootImage: the agent uses the system's Python.

[Install]
WantedBy=multi-user.target
"""

TRIAL_TEXT = """\
# Written by edgeinfer; `releases.pyz setup` writes it again.
[Unit]
Description=edgeinfer: the trial of a release

[Service]
Type=oneshot
ExecStart={agent} trial
# When the trial died, the release that it tried is taken back.
ExecStopPost={agent} settle
TimeoutStartSec=infinity
Environment=PYTHONDONTWRITEBYTECODE=1
# How it tells its outcome.
RuntimeDirectory=edgeinfer-trial
RuntimeDirectoryPreserve=yes
# The bundle is replayed here, while the old loop still runs. One that swells is ended and
# refused; the trial goes on to report it.
MemoryMax={memory}
OOMPolicy=continue
{own}
# Replaying opens accelerators, as the service will, through the DeviceAllow below; PrivateDevices
# would hide them.
DevicePolicy=closed
{devices}

# Replaying is the service's user's. Root becomes that user (CAP_SETUID, CAP_SETGID, and of
# @privileged the calls for it), ends what hangs (CAP_KILL), and reads what the loop says of itself
# (CAP_DAC_READ_SEARCH).
CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL CAP_DAC_READ_SEARCH
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=@setuid

# AF_UNIX reaches the service manager, AF_NETLINK tells libusb of devices.
RestrictAddressFamilies=AF_UNIX AF_NETLINK
IPAddressDeny=any

# Left open on purpose. User and DynamicUser: the files are root's, so that the loop cannot change
# what runs. UMask=0077: the loop reads what is written. MemoryDenyWriteExecute: drivers make code
# as they run. PrivateNetwork and PrivateUsers: not every board's kernel has such namespaces.
# ProcSubset=pid: /proc/cpuinfo and meminfo tell the replay what board this is. RootDirectory and
# RootImage: the agent uses the system's Python.
"""

OWN_TEXT = (
    """\

# Root's, but it may write the releases and its outcome alone.
ProtectSystem=strict
ReadWritePaths={writable}
ProtectHome=yes
PrivateTmp=yes
PrivateMounts=yes
UMask=0022
LimitCORE=0

# It becomes nothing more than it is.
NoNewPrivileges=yes
"""
    + _LIMITS
    + """\

# What it sees of the system, and may do to it.
"""
    + _HIDDEN
    + """\
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
"""
)
"""What the agent's own two units have in common."""
