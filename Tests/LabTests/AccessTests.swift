import Lab
import Tables
import TestKit
import Testing

/// The lab lets nobody in whom the service would refuse.
@Suite struct AccessTests {
    @Test func aCallWithoutATokenIsRefused() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let bare = try await lab.send("GET", lab.cloud + "/api/machines")
            #expect(bare.status == 401)
            let forged = [("Authorization", "Bearer e30.e30.e30")]
            let answer = try await lab.send("GET", lab.cloud + "/api/machines", headers: forged)
            #expect(answer.status == 401)
        }
    }

    @Test func aWrongSecretGetsNoToken() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let form = [("Content-Type", "application/x-www-form-urlencoded")]
            let address = "\(lab.cloud)/\(lab.lab.options.identity.tenant)/oauth2/v2.0/token"
            let right = try await lab.send("POST", address, lab.tokenForm, headers: form)
            #expect(right.status == 200 && right.body.contains("access_token"))
            let secret = lab.lab.options.identity.secret
            let wrongForm = lab.tokenForm.replacing(secret, with: "another")
            let wrong = try await lab.send("POST", address, wrongForm, headers: form)
            #expect(wrong.status == 401 && wrong.body.contains("invalid_client"))
            #expect(!wrong.body.contains("access_token"))
        }
    }

    /// Tokens end by the lab's clock, so that no test waits for one to end.
    @Test func aTokenEndsWhenItsTimeIsOver() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let form = [("Content-Type", "application/x-www-form-urlencoded")]
            let address = "\(lab.cloud)/\(lab.lab.options.identity.tenant)/oauth2/v2.0/token"
            let answer = try await lab.send("POST", address, lab.tokenForm, headers: form)
            let token = try #require(try JSON(parsing: answer.body)["access_token"]?.string)
            func status() async throws -> Int {
                let bearer = [("Authorization", "Bearer \(token)")]
                return try await lab.send("GET", lab.cloud + "/api/machines", headers: bearer).status
            }
            let early = try await status()
            lab.lab.clock.advance(hours: 1)
            let late = try await status()
            #expect(early == 200 && late == 401)
        }
    }
}
