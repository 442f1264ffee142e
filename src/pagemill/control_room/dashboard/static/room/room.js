// The results room: shows one of its three pages, by the address.

import { byId } from "../dom.js";
import { startShell } from "../shell.js";
import { placeOf } from "./addresses.js";
import { ProductPage } from "./product_page.js";
import { RunPage } from "./run_page.js";
import { RunsPage } from "./runs_page.js";

const place = placeOf(location.pathname);
const pages = { runs: RunsPage, run: RunPage, product: ProductPage };

byId(`${place.what}-view`).hidden = false;
const page = new pages[place.what](place);
startShell({ enter: () => page.enter(), leave: () => page.leave(), repaint() {} });
