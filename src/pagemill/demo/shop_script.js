"use strict";
(() => {
  const put = (selector, text) => { document.querySelector(selector).textContent = text; };
  const won = (price) => price.toLocaleString("en-US") + "원";
  const get = async (path) => {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(path + " answered " + answer.status);
    return answer.json();
  };

  const fill = {
    served: async () => {},
    hydrated: async (id) => {
      const product = await get("/hydrated/api/" + encodeURIComponent(id));
      put(".price", won(product.price));
      put(".stock", product.stock);
    },
    api: async (id) => {
      get("/api/v1/session").catch(() => {});
      get("/api/v1/recommendations?for=" + encodeURIComponent(id)).catch(() => {});
      const { data } = await get("/api/v1/products/" + encodeURIComponent(id));
      put("h1.name", data.name);
      put(".price", won(data.price));
      put(".stock", data.in_stock ? "in" : "out");
      document.querySelector("img.photo").src = data.image;
    },
  };

  // Dies with the document, but only when the garbage collector runs.
  const leakInDocument = (kb) => {
    const kept = (window.kept = window.kept || document.createElement("div"));
    for (let i = 0; i < kb; i++) {
      const node = kept.appendChild(document.createElement("p"));
      node.textContent = "x".repeat(600) + i;
      node.values = new Array(32).fill(i + 0.5);
      addEventListener("resize", () => node.values);
    }
  };

  // Lives as long as the window, because every document opened in it inherits the name.
  const leakInPage = (kb) => { window.name += String.fromCharCode(97 + window.name.length % 26).repeat(kb * 1024); };

  // Lives as long as the browser context, which keeps its storage in memory.
  const leakInContext = async (kb) => {
    if (!window.caches) return; // only on loopback and https
    const cache = await caches.open("leak");
    const key = "/leak/" + Date.now() + "-" + Math.random();
    await cache.put(key, new Response(new Uint8Array(kb * 1024).fill(1)));
  };

  window.shop = {
    async start(kind, id, leakKb) {
      await window.beforeFacts;
      await fill[kind](id);
      if (leakKb) {
        leakInDocument(leakKb);
        leakInPage(leakKb);
        await leakInContext(leakKb);
      }
      document.body.dataset.ready = "";
    },
  };
})();
