"""Chromium's switches besides those of `browser.flags`, for launches without Playwright."""

SWITCHES = (
    "--headless",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-back-forward-cache",  # pages that were left would stay in memory
    "--disable-background-timer-throttling",  # no lane may be slowed down because its page is in the background
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-ipc-flooding-protection",
    "--disable-hang-monitor",
    "--disable-breakpad",  # nobody reads crash reports here
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-field-trial-config",  # the same behaviour on every machine
    "--disable-prompt-on-repost",
    "--disable-search-engine-choice-screen",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--metrics-recording-only",
    "--password-store=basic",
    "--use-mock-keychain",
    "--lang=en-US",
)

DISABLED_FEATURES = (
    "AcceptCHFrame",
    "DestroyProfileOnBrowserClose",
    "DialMediaRouteProvider",
    "GlobalMediaControls",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "Translate",
)
