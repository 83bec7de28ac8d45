/// The elements that pages are made of. Links, style sheets and scripts have ways of their own (`Markup(link:)`,
/// `PageAsset`).
package enum ElementName: String, Sendable {
    case b, body, br, button, code, details, div, em, form, h1, h2, h3, h4, h5, h6, head, header, hr, html, i, input,
        label, li
    case main, meta, nav, noscript, ol, option, p, pre, section, select, small, span, strong, summary, table, tbody, td,
        textarea
    case th, thead, title, tr, ul
    // SVG.
    case circle, g, line, path, polygon, polyline, rect, svg, text
}

/// The attributes that elements may have: none that holds an address, a script or a style.
package enum AttributeName: String, Sendable {
    case autocapitalize, autocomplete, charset, checked, `class`, colspan, content, disabled, `for`, id, lang,
        maxlength, method, name
    case placeholder, required, role, scope, selected, tabindex, title, type, value
    case ariaCurrent = "aria-current"
    case ariaHidden = "aria-hidden"
    case ariaLabel = "aria-label"
    // SVG.
    case cx, cy, d, dy, fill, height, opacity, points, preserveAspectRatio, r, rx, stroke, transform, viewBox, width, x,
        x1, x2
    case y, y1, y2
    case strokeDasharray = "stroke-dasharray"
    case strokeDashoffset = "stroke-dashoffset"
    case strokeWidth = "stroke-width"
    case textAnchor = "text-anchor"
    case vectorEffect = "vector-effect"
}
