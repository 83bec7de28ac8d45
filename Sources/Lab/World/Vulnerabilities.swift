/// A vulnerability of the simulated fleet. Ids, dates and scores are real; the texts are ours.
struct Vulnerability: Sendable {
    let id: String
    let vendor: String
    let product: String
    let platforms: [String]
    let published: String
    let summary: String
    let fix: String
    let score: Double
    let isExploited: Bool

    var severity: String { score >= 9 ? "Critical" : score >= 7 ? "High" : score >= 4 ? "Medium" : "Low" }
}

enum Vulnerabilities {
    static let all: [Vulnerability] = [
        Vulnerability(
            id: "CVE-2025-29824", vendor: "microsoft", product: "windows_11", platforms: ["Windows"],
            published: "2025-04-08",
            summary: "Windows common log file system driver: use after free raises privileges",
            fix: "April 2025 Security Updates", score: 7.8,
            isExploited: true),
        Vulnerability(
            id: "CVE-2025-24983", vendor: "microsoft", product: "windows_10", platforms: ["Windows"],
            published: "2025-03-11",
            summary: "Windows Win32 kernel subsystem: use after free raises privileges",
            fix: "March 2025 Security Updates", score: 7.0, isExploited: true),
        Vulnerability(
            id: "CVE-2025-21418", vendor: "microsoft", product: "windows_10", platforms: ["Windows"],
            published: "2025-02-11",
            summary: "Windows ancillary function driver: heap overflow raises privileges",
            fix: "February 2025 Security Updates", score: 7.8, isExploited: true),
        Vulnerability(
            id: "CVE-2024-49138", vendor: "microsoft", product: "windows_10", platforms: ["Windows"],
            published: "2024-12-10",
            summary: "Windows common log file system driver: heap overflow raises privileges",
            fix: "December 2024 Security Updates", score: 7.8,
            isExploited: true),
        Vulnerability(
            id: "CVE-2024-38193", vendor: "microsoft", product: "windows_11", platforms: ["Windows"],
            published: "2024-08-13",
            summary: "Windows ancillary function driver: use after free raises privileges",
            fix: "August 2024 Security Updates", score: 7.8, isExploited: true),
        Vulnerability(
            id: "CVE-2024-38112", vendor: "microsoft", product: "windows_10", platforms: ["Windows"],
            published: "2024-07-09",
            summary: "Windows MSHTML platform: spoofing through internet shortcuts", fix: "July 2024 Security Updates",
            score: 7.5, isExploited: true),
        Vulnerability(
            id: "CVE-2024-43461", vendor: "microsoft", product: "windows_11", platforms: ["Windows"],
            published: "2024-09-10",
            summary: "Windows MSHTML platform: spoofed file names", fix: "September 2024 Security Updates", score: 8.8,
            isExploited: true),
        Vulnerability(
            id: "CVE-2024-30051", vendor: "microsoft", product: "windows_10", platforms: ["Windows"],
            published: "2024-05-14",
            summary: "Windows desktop window manager: heap overflow raises privileges",
            fix: "May 2024 Security Updates", score: 7.8, isExploited: true),
        Vulnerability(
            id: "CVE-2024-21412", vendor: "microsoft", product: "windows_11", platforms: ["Windows"],
            published: "2024-02-13",
            summary: "Internet shortcut files: security feature bypass", fix: "February 2024 Security Updates",
            score: 8.1, isExploited: true),
        Vulnerability(
            id: "CVE-2023-36884", vendor: "microsoft", product: "windows_server_2019", platforms: ["Windows"],
            published: "2023-07-11",
            summary: "Windows search: remote code execution", fix: "August 2023 Security Updates", score: 7.5,
            isExploited: true),
        Vulnerability(
            id: "CVE-2023-28252", vendor: "microsoft", product: "windows_server_2019", platforms: ["Windows"],
            published: "2023-04-11",
            summary: "Windows common log file system driver: privileges raised", fix: "April 2023 Security Updates",
            score: 7.8, isExploited: true),
        Vulnerability(
            id: "CVE-2022-30190", vendor: "microsoft", product: "windows_server_2016", platforms: ["Windows"],
            published: "2022-06-01",
            summary: "Windows support diagnostic tool: remote code execution", fix: "June 2022 Security Updates",
            score: 7.8, isExploited: true),
        Vulnerability(
            id: "CVE-2021-34527", vendor: "microsoft", product: "windows_server_2016", platforms: ["Windows"],
            published: "2021-07-02",
            summary: "Windows print spooler: remote code execution", fix: "July 2021 Security Updates", score: 8.8,
            isExploited: true),
        Vulnerability(
            id: "CVE-2020-1472", vendor: "microsoft", product: "windows_server_2016", platforms: ["Windows"],
            published: "2020-08-17",
            summary: "Netlogon: privileges raised on a domain controller", fix: "August 2020 Security Updates",
            score: 5.5, isExploited: true),
        Vulnerability(
            id: "CVE-2019-0708", vendor: "microsoft", product: "windows_7", platforms: ["Windows"],
            published: "2019-05-16",
            summary: "Remote desktop services: remote code execution before logon", fix: "May 2019 Security Updates",
            score: 9.8, isExploited: true),
        Vulnerability(
            id: "CVE-2017-0144", vendor: "microsoft", product: "windows_7", platforms: ["Windows"],
            published: "2017-03-17",
            summary: "SMB version 1 server: remote code execution", fix: "March 2017 Security Updates", score: 8.8,
            isExploited: true),
        Vulnerability(
            id: "CVE-2023-23397", vendor: "microsoft", product: "office", platforms: ["Windows"],
            published: "2023-03-14",
            summary: "Outlook: leak of the user's credentials by a message", fix: "March 2023 Security Updates",
            score: 9.8, isExploited: true),
        Vulnerability(
            id: "CVE-2025-2783", vendor: "google", product: "chrome", platforms: ["Windows", "macOS", "Linux"],
            published: "2025-03-26",
            summary: "Chrome on Windows: sandbox escape through Mojo handles", fix: "Chrome 134.0.6998.177", score: 8.3,
            isExploited: true),
        Vulnerability(
            id: "CVE-2024-7971", vendor: "google", product: "chrome", platforms: ["Windows", "macOS", "Linux"],
            published: "2024-08-21",
            summary: "V8: type confusion from a crafted page", fix: "Chrome 128.0.6613.84", score: 9.6,
            isExploited: true),
        Vulnerability(
            id: "CVE-2024-4947", vendor: "microsoft", product: "edge_chromium-based", platforms: ["Windows", "macOS"],
            published: "2024-05-15",
            summary: "V8: type confusion from a crafted page", fix: "Edge 125.0.2535.51", score: 9.6, isExploited: true),
        Vulnerability(
            id: "CVE-2023-4863", vendor: "google", product: "chrome", platforms: ["Windows", "macOS", "Linux"],
            published: "2023-09-12",
            summary: "WebP decoder: heap overflow", fix: "Chrome 116.0.5845.187", score: 8.8, isExploited: true),
        Vulnerability(
            id: "CVE-2024-9680", vendor: "mozilla", product: "firefox", platforms: ["Windows", "macOS", "Linux"],
            published: "2024-10-09",
            summary: "Animation timelines: use after free", fix: "Firefox 131.0.2", score: 9.8, isExploited: true),
        Vulnerability(
            id: "CVE-2023-38831", vendor: "rarlab", product: "winrar", platforms: ["Windows"], published: "2023-08-23",
            summary: "Archive viewer: code execution when a file is opened", fix: "WinRAR 6.23", score: 7.8,
            isExploited: true),
        Vulnerability(
            id: "CVE-2021-44228", vendor: "apache", product: "log4j", platforms: ["Windows", "Linux"],
            published: "2021-12-10",
            summary: "JNDI lookups in logged text: remote code execution", fix: "Log4j 2.17.1", score: 10.0,
            isExploited: true),
        Vulnerability(
            id: "CVE-2022-22965", vendor: "vmware", product: "spring_framework", platforms: ["Linux"],
            published: "2022-04-01",
            summary: "Data binding: remote code execution", fix: "Spring 5.3.18", score: 9.8, isExploited: true),
        Vulnerability(
            id: "CVE-2021-4034", vendor: "polkit_project", product: "polkit", platforms: ["Linux"],
            published: "2022-01-28",
            summary: "pkexec: privileges raised through its environment", fix: "polkit 0.120 fixes", score: 7.8,
            isExploited: true),
        Vulnerability(
            id: "CVE-2022-0847", vendor: "linux", product: "linux_kernel", platforms: ["Linux"],
            published: "2022-03-10",
            summary: "Pipe buffers: read-only files overwritten", fix: "Kernel 5.16.11", score: 7.8, isExploited: true),
        Vulnerability(
            id: "CVE-2024-1086", vendor: "linux", product: "linux_kernel", platforms: ["Linux"],
            published: "2024-01-31",
            summary: "nf_tables: use after free raises privileges", fix: "Kernel 6.6.15", score: 7.8, isExploited: true),
        Vulnerability(
            id: "CVE-2023-4911", vendor: "gnu", product: "glibc", platforms: ["Linux"], published: "2023-10-03",
            summary: "Dynamic loader: overflow raises privileges", fix: "glibc 2.38 fixes", score: 7.8,
            isExploited: true),
        Vulnerability(
            id: "CVE-2024-6387", vendor: "openbsd", product: "openssh", platforms: ["Linux"], published: "2024-07-01",
            summary: "sshd signal handler: race lets code run before logon", fix: "OpenSSH 9.8p1", score: 8.1,
            isExploited: false),
        Vulnerability(
            id: "CVE-2024-3094", vendor: "tukaani", product: "xz", platforms: ["Linux"], published: "2024-03-29",
            summary: "liblzma: malicious code in the released tarballs", fix: "xz 5.4.6", score: 10.0,
            isExploited: false),
        Vulnerability(
            id: "CVE-2024-44308", vendor: "apple", product: "macos", platforms: ["macOS"], published: "2024-11-20",
            summary: "JavaScriptCore: code execution from web content", fix: "macOS 15.1.1", score: 8.8,
            isExploited: true),
        Vulnerability(
            id: "CVE-2024-23222", vendor: "apple", product: "macos", platforms: ["macOS"], published: "2024-01-23",
            summary: "WebKit: type confusion from web content", fix: "macOS 14.3", score: 8.8, isExploited: true),
        Vulnerability(
            id: "CVE-2023-41064", vendor: "apple", product: "macos", platforms: ["macOS"], published: "2023-09-07",
            summary: "ImageIO: buffer overflow from a crafted image", fix: "macOS 13.5.2", score: 7.8, isExploited: true
        ),
        Vulnerability(
            id: "CVE-2023-32409", vendor: "apple", product: "macos", platforms: ["macOS"], published: "2023-06-23",
            summary: "WebKit: web content sandbox escape", fix: "macOS 13.4", score: 8.6, isExploited: true),
        Vulnerability(
            id: "CVE-2025-24201", vendor: "apple", product: "macos", platforms: ["macOS"], published: "2025-03-11",
            summary: "WebKit: out-of-bounds write escapes the sandbox", fix: "macOS 15.3.2", score: 10.0,
            isExploited: true),
    ]
}
