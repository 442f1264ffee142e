"""What Chromium is told besides `browser.flags`, where nobody else tells it."""

SWITCHES = (
    "--headless",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-back-forward-cache",  # pages that were left would stay in memory
    "--disable-background-timer-throttling",  # no lane may be slowed because its page is not in front
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
