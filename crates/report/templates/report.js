// A link into a closed part opens it first. Without scripts the browser does so, or the reader opens it by hand.
function open(){let e=document.getElementById(decodeURIComponent(location.hash.slice(1)));for(let d=e;d;d=d.parentElement){if(d.tagName==="DETAILS")d.open=true}if(e)e.scrollIntoView()}
addEventListener("hashchange",open);open();
