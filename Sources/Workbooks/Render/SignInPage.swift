/// Who a page is drawn for, as its frame shows it.
package struct PageAccount: Sendable {
    /// What they are called.
    package let name: String
    /// What they may do, in one word.
    package let role: String
    /// What forms of their session send along.
    package let formToken: String

    package init(name: String, role: String, formToken: String) {
        self.name = name
        self.role = role
        self.formToken = formToken
    }

    /// Of the page that is drawn now; nil where nobody signs in.
    @TaskLocal package static var current: PageAccount?

    /// Name, role and the way out, for the frame's right end.
    var markup: Markup {
        Markup(postTo: Link(path: ["sign-out"]), [.class: "account"]) {
            Markup(.span, [.title: "Signed in as \(name), \(role)"]) { name }
            Markup(empty: .input, [.type: "hidden", .name: "form", .value: formToken])
            Markup(.button, [.type: "submit"]) { "Sign out" }
        }
    }
}

/// What the page to sign in on offers.
package struct SignInForm: Sendable {
    let takesPasswords: Bool
    /// Where sign-in with Entra begins; nil where there is none.
    let entra: Link?
    let action: Link
    let back: String
    let formToken: String
    let trouble: String?

    /// - Parameters:
    ///   - back: where to go afterwards.
    ///   - formToken: what the form sends along.
    ///   - trouble: what went wrong at the last try.
    package init(
        takesPasswords: Bool, entra: Link?, action: Link, back: String, formToken: String, trouble: String?
    ) {
        self.takesPasswords = takesPasswords
        self.entra = entra
        self.action = action
        self.back = back
        self.formToken = formToken
        self.trouble = trouble
    }
}

extension PageShell {
    /// The page to sign in on.
    package func signIn(_ form: SignInForm) -> HTMLPage {
        let body = Markup(.main, [.class: "sign-in"]) {
            Markup(.div, [.class: "panel"]) {
                Markup(.h1) { "Sign in" }
                if let trouble = form.trouble {
                    Markup(.div, [.class: "text error", .role: "alert"]) { Markup(.p) { trouble } }
                }
                if let entra = form.entra {
                    Markup(link: entra, [.class: "button"]) { "Sign in with Microsoft" }
                }
                if form.entra != nil, form.takesPasswords { Markup(.p, [.class: "or"]) { "or" } }
                if form.takesPasswords { passwordForm(form) }
                if form.entra == nil, !form.takesPasswords {
                    Markup(.p) { "Only programs with an API token may use this server." }
                }
            }
        }
        return page(title: "Sign in", current: nil, body: body)
    }

    private func passwordForm(_ form: SignInForm) -> Markup {
        Markup(postTo: form.action) {
            Markup(empty: .input, [.type: "hidden", .name: "form", .value: form.formToken])
            Markup(empty: .input, [.type: "hidden", .name: "return", .value: form.back])
            Markup(.label) {
                "Name"
                Markup(
                    empty: .input,
                    [
                        .name: "user", .autocomplete: "username", .autocapitalize: "none", .required: "",
                        .maxlength: "64",
                    ])
            }
            Markup(.label) {
                "Password"
                Markup(
                    empty: .input,
                    [.name: "password", .type: "password", .autocomplete: "current-password", .required: ""])
            }
            Markup(.button, [.class: "button", .type: "submit"]) { "Sign in" }
        }
    }
}
