PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE runs (
	id TEXT NOT NULL, 
	platform TEXT NOT NULL, 
	source TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	sealed_at DATETIME, 
	products INTEGER, 
	batches INTEGER, 
	skipped INTEGER, 
	PRIMARY KEY (id)
);
INSERT INTO runs VALUES('20261129-101310-demo-jsonld-9ceb','demo-jsonld','first.csv','2026-11-29 10:13:10.178480','2026-11-29 10:13:10.192205',6,1,0);
INSERT INTO runs VALUES('20261129-102342-demo-jsonld-602c','demo-jsonld','second.csv','2026-11-29 10:23:42.115323','2026-11-29 10:23:42.126546',3,2,0);
CREATE TABLE results (
	run TEXT NOT NULL, 
	product_id TEXT NOT NULL, 
	batch TEXT NOT NULL, 
	url TEXT NOT NULL, 
	platform TEXT NOT NULL, 
	verdict TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	differences JSON NOT NULL, 
	facts JSON NOT NULL, 
	attempts INTEGER NOT NULL, 
	started_at DATETIME NOT NULL, 
	finished_at DATETIME NOT NULL, 
	worker TEXT NOT NULL, 
	PRIMARY KEY (run, product_id)
);
INSERT INTO results VALUES('20261129-101310-demo-jsonld-9ceb','a.ok','b00001','http://127.0.0.1:8917/jsonld/p/a.ok','demo-jsonld','ok','','[]','{"name":"S&P 울 니트 블랙 67079","price":9800,"in_stock":true,"image":"/img/a.ok/0.png"}',1,'2026-11-29 10:23:08.177676','2026-11-29 10:23:08.801772','mill-11452-e906');
INSERT INTO results VALUES('20261129-101310-demo-jsonld-9ceb','b.ok','b00001','http://127.0.0.1:8917/jsonld/p/b.ok','demo-jsonld','changed','name: Wrong name -> 오버핏 Knit Cap 블랙 55796, price: 1 -> 181500','[{"field":"name","expected":"Wrong name","found":"오버핏 Knit Cap 블랙 55796"},{"field":"price","expected":1,"found":181500}]','{"name":"오버핏 Knit Cap 블랙 55796","price":181500,"in_stock":true,"image":"/img/b.ok/0.png"}',1,'2026-11-29 10:23:08.174463','2026-11-29 10:23:08.826938','mill-11452-e906');
INSERT INTO results VALUES('20261129-101310-demo-jsonld-9ceb','c.sold-out','b00001','http://127.0.0.1:8917/jsonld/p/c.sold-out','demo-jsonld','sold_out','in_stock is false','[]','{"name":"\"Studio\" 와이드 데님 라이트 그레이 53819","price":183800,"in_stock":false,"image":"/img/c.sold-out/0.png"}',1,'2026-11-29 10:23:08.205955','2026-11-29 10:23:08.802594','mill-11452-e906');
INSERT INTO results VALUES('20261129-101310-demo-jsonld-9ceb','d.gone-404','b00001','http://127.0.0.1:8917/jsonld/p/d.gone-404','demo-jsonld','gone','HTTP 404','[]','{}',1,'2026-11-29 10:23:08.205818','2026-11-29 10:23:08.765304','mill-11452-e906');
INSERT INTO results VALUES('20261129-101310-demo-jsonld-9ceb','e.blocked-403','b00001','http://127.0.0.1:8917/jsonld/p/e.blocked-403','demo-jsonld','blocked','HTTP 403','[]','{}',1,'2026-11-29 10:23:08.827366','2026-11-29 10:23:08.989203','mill-11452-e906');
INSERT INTO results VALUES('20261129-101310-demo-jsonld-9ceb','f.ok','b00001','http://127.0.0.1:8917/jsonld/p/f.ok?fault=empty','demo-jsonld','failed','timeout: content did not appear','[]','{}',2,'2026-11-29 10:23:08.860031','2026-11-29 10:23:27.198220','mill-11452-e906');
CREATE INDEX ix_runs_created_at ON runs (created_at);
CREATE INDEX ix_results_run_verdict ON results (run, verdict, product_id);
COMMIT;
